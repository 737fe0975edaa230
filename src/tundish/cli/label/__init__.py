"""The commands of `tundish label`: options are parsed, the API is called, the result is printed.

Knows Click and the API; knows neither tables nor the server.
"""
