"""Image files as bytes: headers, EXIF, and decoding of JPEG, PNG and TIFF.

Bytes in, arrays out; knows neither paths nor tables.
"""
