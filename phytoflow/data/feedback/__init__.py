"""Photos whose class people corrected, from a gateway into a data set."""
