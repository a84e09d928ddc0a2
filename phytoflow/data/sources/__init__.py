"""Where photos come from: folders, archives, object stores, public datasets."""
