"""One module per pipeline step, named like its KFP component."""
