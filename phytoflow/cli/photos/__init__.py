"""What `phytoflow predict` and `explain` share: photos in, a classifier or a predictor, results out."""
