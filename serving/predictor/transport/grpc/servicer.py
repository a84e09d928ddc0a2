"""V2 over gRPC: kserve's servicer with the limits, metadata and versions of REST.

kserve's own servicer (0.21) answers load and unload with an internal error, has no limit on bytes in
progress, and knows neither versions nor classes.
"""

from __future__ import annotations

from typing import Any

from kserve.protocol.dataplane import DataPlane
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc.servicer import InferenceServicer
from kserve.protocol.model_repository_extension import ModelRepositoryExtension

from phytoflow.protocol.grpc_messages import MetadataResponse
from serving.predictor.model import PhotoModel
from serving.predictor.options import Options
from serving.predictor.protocol.metadata import describe_model, describe_properties
from serving.predictor.transport.byte_budget import ByteBudget


class PhotoServicer(InferenceServicer):
    """The calls that differ from kserve's.

    Args:
        data_plane: Handles the other calls.
        repository: Handles the other calls.
        model: The model.
        options: Whether clients may change versions.
        budget: Bytes in progress, shared with REST.
    """

    def __init__(
        self,
        data_plane: DataPlane,
        repository: ModelRepositoryExtension,
        model: PhotoModel,
        options: Options,
        budget: ByteBudget,
    ) -> None:
        super().__init__(data_plane, repository)
        self._model, self._options, self._budget = model, options, budget

    async def ModelInfer(self, request: pb.ModelInferRequest, context: Any) -> pb.ModelInferResponse:  # noqa: N802
        """Classifies photos."""
        self._model.check(request.model_name, request.model_version)
        self._model.current.check_room()
        size = request.ByteSize()
        self._budget.acquire(size)
        try:
            return await super().ModelInfer(request, context)
        finally:
            self._budget.release(size)

    async def ModelMetadata(self, request: pb.ModelMetadataRequest, context: Any) -> Any:  # noqa: N802
        """Returns inputs, outputs and version, and classes and runtime as properties."""
        self._model.check(request.name, request.version)
        engine = self._model.current
        fields = describe_model(self._model.name, engine)
        del fields["parameters"]
        extension = MetadataResponse()
        for key, value in describe_properties(engine).items():
            extension.properties.add(key=key, value=value)
        # Field 6 of the open protocol, which kserve's message lacks: parsing keeps unknown fields.
        content = pb.ModelMetadataResponse(**fields).SerializeToString() + extension.SerializeToString()
        return pb.ModelMetadataResponse.FromString(content)

    async def RepositoryModelLoad(self, request: pb.RepositoryModelLoadRequest, context: Any) -> Any:  # noqa: N802
        """Loads the bundle given at startup as it is now; the message has no field to name another."""
        self._model.check_change(request.model_name, self._options)
        await self._model.versions.load()
        return pb.RepositoryModelLoadResponse(model_name=request.model_name, isLoaded=True)

    async def RepositoryModelUnload(self, request: pb.RepositoryModelUnloadRequest, context: Any) -> Any:  # noqa: N802
        """Unloads the current version."""
        self._model.check_change(request.model_name, self._options)
        await self._model.versions.unload()
        return pb.RepositoryModelUnloadResponse(model_name=request.model_name, isUnloaded=True)
