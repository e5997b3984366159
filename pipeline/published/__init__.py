"""A store published for others: objects in a bucket or folder, a manifest, and who reads them."""
