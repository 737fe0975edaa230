"""Tables as plants and laboratories write them: files cut into cells, headers understood, cells read."""
