"""The only place that talks to Kubernetes: an InferenceService is written, awaited, asked, and put back.

How a version is published, so that no request ever reaches a bad one:

1. A Lease is taken: publishers of one name come one after another.
2. A candidate ``NAME-candidate``, one replica that gets no traffic, is made with the new spec, awaited, and
   asked the bundle's probe photos over V2. If anything is wrong, the reason is said and the candidate
   removed; the published one was never touched.
3. The InferenceService itself is applied. Its Deployment replaces pods one by one, each Ready only after the
   predictor checked itself on the probe photos, and it is asked once more. If that fails, the last good spec
   is put back.
4. The spec is kept as a ControllerRevision: ``rollback`` goes back to it.

What a publisher's ServiceAccount must be allowed in its namespace: inferenceservices (get, list, create,
patch, delete), leases (get, create, update), controllerrevisions (get, list, create, patch, delete), pods,
pods/log, events, deployments and replicasets (get, list), pods/proxy (get, create).
"""
