"""Publishing to a cluster. This is the only package that talks to the Kubernetes API.

A version is published in four steps, so that no request reaches a version that answers wrongly:

1. A Lease is acquired, so that two publishers of one name never write at the same time.
2. A candidate ``NAME-candidate`` with one replica and no traffic is created from the new spec. Once it is
   ready, it must answer the bundle's probe photos over V2. If it fails, the candidate is deleted and the
   published version is left as it was.
3. The InferenceService itself is applied. Its Deployment replaces pods one by one. Each pod becomes ready
   only after the predictor has checked itself on the probe photos, and the smoke test then runs on every new
   pod. If this fails, the last good spec is applied again.
4. The spec is stored as a ControllerRevision, which ``phytoflow rollback`` returns to.

The permissions that a publisher's ServiceAccount needs are in ``manifests/publishing/role.yaml``.
"""
