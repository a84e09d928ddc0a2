"""The KServe predictor: V2 and V1, REST and gRPC, over phytoflow.inference."""
