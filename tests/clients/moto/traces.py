"""Prints the documents of a trace, as BatchGetTraces gives them: traces.py ENDPOINT TRACE_ID, keys in the environment."""

import json
import sys

import boto3

endpoint, trace_id = sys.argv[1:]
client = boto3.client("xray", endpoint_url=endpoint, region_name="us-east-1")
traces = client.batch_get_traces(TraceIds=[trace_id])["Traces"]
print(json.dumps([json.loads(segment["Document"]) for trace in traces for segment in trace["Segments"]]))
