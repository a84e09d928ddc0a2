"""What the folders of a data set mean: classes, parts of a split, or neither."""
