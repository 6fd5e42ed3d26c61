"""Imports every module of the package that openapi-python-client wrote, and drives a server."""

import importlib
import os
import pkgutil
import sys

sys.path.insert(0, os.getcwd())
import python_client
from python_client.api.affiliates import create_affiliate, get_affiliate, put_affiliate
from python_client.models import Affiliate, AffiliateRequest, ValidationErrors

for module in pkgutil.walk_packages(python_client.__path__, "python_client."):
    importlib.import_module(module.name)

client = python_client.AuthenticatedClient(
    base_url=os.environ["TRUNKLINE_URL"], token=os.environ["TRUNKLINE_TOKEN"]
)
network = {"version": "2023-10-09", "network_id": 1, "client": client}
request = AffiliateRequest.from_dict(
    {"id_from_network": "python-client", "name": "Python client", "status": "Suspended"}
)
created = create_affiliate.sync(**network, body=request)
assert isinstance(created, Affiliate), created
# An update leaves what it does not name: no default is sent with it.
updated = put_affiliate.sync(**network, affiliate="python-client", body=AffiliateRequest(name="Python client 2"))
assert isinstance(updated, Affiliate), updated
read = get_affiliate.sync(**network, affiliate="python-client")
assert (read.id, read.name, read.status) == (created.id, "Python client 2", "Suspended"), read
refused = create_affiliate.sync(**network, body=AffiliateRequest(id_from_network="no-name"))
assert isinstance(refused, ValidationErrors), refused
