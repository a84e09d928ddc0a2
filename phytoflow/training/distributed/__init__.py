"""Several processes train one network: their group, their shares of a batch, and how they are started."""
