"""Drives a server with the Python client that openapi-generator wrote."""

import os

from openapi_client import ApiClient, Configuration
from openapi_client.api.affiliates_api import AffiliatesApi
from openapi_client.exceptions import ForbiddenException
from openapi_client.models.affiliate_request import AffiliateRequest

configuration = Configuration(
    host=os.environ["TRUNKLINE_URL"], api_key={"token": os.environ["TRUNKLINE_TOKEN"]}
)
affiliates = AffiliatesApi(ApiClient(configuration))
network = ("2023-10-09", 1)

request = AffiliateRequest.from_dict(
    {"id_from_network": "generator", "name": "Generator", "status": "Suspended"}
)
created = affiliates.create_affiliate(*network, request)
# An update leaves what it does not name: no default is sent with it.
affiliates.put_affiliate(*network, "generator", AffiliateRequest(name="Generator 2"))
read = affiliates.get_affiliate(*network, "generator")
assert (read.id, read.name, read.status) == (created.id, "Generator 2", "Suspended"), read
try:
    affiliates.create_affiliate(*network, AffiliateRequest.from_dict({"id_from_network": "x"}))
except ForbiddenException as error:
    assert "can't be blank" in error.body, error.body
else:
    raise AssertionError("an affiliate without a name was created")
