"""`ringfence evidence`: what the record tells of an incident, for whoever was not there."""
