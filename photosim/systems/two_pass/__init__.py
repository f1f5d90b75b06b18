"""Two-pass forward learning in MZI meshes: `system` is the entry."""
