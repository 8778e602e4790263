"""Makes calls of AWS: calls.py ENDPOINT [[SERVICE, METHOD, INPUT], ...], keys in the environment."""

import json
import sys

import boto3

endpoint, calls = sys.argv[1:]
for service, method, arguments in json.loads(calls):
    client = boto3.client(service, endpoint_url=endpoint, region_name="us-east-1")
    getattr(client, method)(**arguments)
