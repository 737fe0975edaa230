"""The bridge to Label Studio: server, client, projects, tasks pushed, answers pulled.

All that talks to the server is here; nothing here decides which labels count.
"""
