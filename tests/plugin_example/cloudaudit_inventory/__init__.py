"""An example of a plug-in: hosts of a small inventory service."""
