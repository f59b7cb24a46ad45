"""Public CT sets as they are downloaded, turned into manifests that ``cl-seg ingest`` reads."""
