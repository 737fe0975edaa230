"""Tables as plants and laboratories write them: files cut into cells, headers understood, cells read.

Bytes and Polars frames in, Polars frames out; knows no recipe file, no dataset and no stage.
"""
