"""What all published systems share: cases, tables, the catalogue, and how seeds are run and kept."""
