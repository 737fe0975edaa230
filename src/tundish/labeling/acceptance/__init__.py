"""Acceptance sampling of labelled batches by ISO 2859-1 and 2859-2: plans, switching, review, verdict.

Arithmetic of plans and the tables of batches; nothing here talks to a server.
"""
