"""In situ training of meshes: `system` is the entry, `rivals` the rules compared with it."""
