"""The gallery: circuits as data, ready to run (`photosim run NAME`, `photosim.load("NAME")`)."""
