"""Three meshes and two layers of activations on one chip (bandyopadhyay2024): `system` is the entry."""
