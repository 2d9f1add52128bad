"""The store on Elasticsearch (8.19 or 9.x), written for the server's core: no licence, plugin or script is needed."""
