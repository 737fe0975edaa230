"""Pairs of an image and a mask image, whose pixel values are classes.

`rules` knows how masks are called, `values` what their pixels mean, `content` tells masks from photographs,
`look` what a source suggests, `read` reads. Nothing here knows stages or recipes.
"""
