"""The Azure resources of an environment: the ARM template main.json, and what must be known of it offline."""
