"""V2 over gRPC: kserve's servicer, with the bounds, the metadata and the versions that REST has.

kserve's own (0.21) answers load and unload with an internal error, has no bound on what it holds, and knows
neither versions nor classes.
"""

from __future__ import annotations

from typing import Any

from kserve.protocol.dataplane import DataPlane
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc.servicer import InferenceServicer
from kserve.protocol.model_repository_extension import ModelRepositoryExtension

from phytoflow.protocol.grpc_messages import MetadataResponse
from serving.predictor.model import LeafModel
from serving.predictor.options import Options
from serving.predictor.protocol import metadata
from serving.predictor.transport.byte_budget import Budget


class LeafServicer(InferenceServicer):
    """The calls that differ from kserve's.

    Args:
        data_plane: For the other calls.
        repository: For the other calls.
        model: Who answers.
        options: Whether clients may change versions.
        budget: Shared with REST.
    """

    def __init__(
        self,
        data_plane: DataPlane,
        repository: ModelRepositoryExtension,
        model: LeafModel,
        options: Options,
        budget: Budget,
    ) -> None:
        super().__init__(data_plane, repository)
        self._model, self._options, self._budget = model, options, budget

    async def ModelInfer(self, request: pb.ModelInferRequest, context: Any) -> pb.ModelInferResponse:  # noqa: N802
        """Answers photos; what is over the budget is refused at once."""
        self._model.check(request.model_name, request.model_version)
        self._model.current.check_room()
        size = request.ByteSize()
        self._budget.take(size)
        try:
            return await super().ModelInfer(request, context)
        finally:
            self._budget.give_back(size)

    async def ModelMetadata(self, request: pb.ModelMetadataRequest, context: Any) -> Any:  # noqa: N802
        """Inputs, outputs, version; classes and runtime as properties (field 6 of the open protocol)."""
        self._model.check(request.name, request.version)
        engine = self._model.current
        known = metadata.describe(self._model.name, engine)
        del known["parameters"]
        more = MetadataResponse()
        for key, value in metadata.properties(engine).items():
            more.properties.add(key=key, value=value)
        content = pb.ModelMetadataResponse(**known).SerializeToString() + more.SerializeToString()
        return pb.ModelMetadataResponse.FromString(content)  # keeps the field that kserve does not know

    async def RepositoryModelLoad(self, request: pb.RepositoryModelLoadRequest, context: Any) -> Any:  # noqa: N802
        """Loads the bundle given at the start as it is now; the message has no field to name another."""
        self._model.check_change(request.model_name, self._options)
        await self._model.versions.load()
        return pb.RepositoryModelLoadResponse(model_name=request.model_name, isLoaded=True)

    async def RepositoryModelUnload(self, request: pb.RepositoryModelUnloadRequest, context: Any) -> Any:  # noqa: N802
        """Unloads the version that answers."""
        self._model.check_change(request.model_name, self._options)
        await self._model.versions.unload()
        return pb.RepositoryModelUnloadResponse(model_name=request.model_name, isUnloaded=True)
