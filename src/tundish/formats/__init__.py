"""Label formats: one small module each, to read it and to write it."""
