"""The way in: kopf watches our four kinds, and every event means no more than "look again"."""
