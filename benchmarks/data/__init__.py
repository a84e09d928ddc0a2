"""What preparing many photos costs."""
