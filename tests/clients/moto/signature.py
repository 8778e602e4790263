"""Prints the signature that botocore computes for a request.

Reads a file of JSON: method, url, headers (those that are signed), body (base64), key, secret, token, region, service.
"""

import base64
import json
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

with open(sys.argv[1], encoding="utf-8") as file:
    seen = json.load(file)
credentials = Credentials(seen["key"], seen["secret"], seen["token"])
auth = SigV4Auth(credentials, seen["service"], seen["region"])
request = AWSRequest(
    method=seen["method"],
    url=seen["url"],
    headers=seen["headers"],
    data=base64.b64decode(seen["body"]),
)
request.context["timestamp"] = seen["headers"]["x-amz-date"]
canonical = auth.canonical_request(request)
print(auth.signature(auth.string_to_sign(request, canonical), request))
