"""Sends one trace with the real X-Ray SDK for Python, sampled by central rules, and prints what it sent as JSON.

    journey.py DAEMON_ADDRESS RULE

DAEMON_ADDRESS is what AWS_XRAY_DAEMON_ADDRESS would be. Waits until the SDK has got the rule RULE from its daemon, and reports to it
what was sampled. Exit code 0: the rule was there, and everything was sent. 1: it was not.
"""

import json
import logging
import sys
import time

logging.basicConfig(stream=sys.stderr, level=logging.ERROR)

from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.emitters.udp_emitter import UDPEmitter
from aws_xray_sdk.core.models import http

PATIENCE_SECONDS = 30


class Recording(UDPEmitter):
    """Remembers the documents that it sends."""

    def __init__(self):
        super().__init__()
        self.documents = []

    def send_entity(self, entity):
        self.documents.append(json.loads(entity.serialize()))
        super().send_entity(entity)


def await_rule(sampler, rule):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if any(known.name == rule for known in sampler._cache.rules):
            return True
        time.sleep(0.05)
    return False


def journey():
    segment = xray_recorder.begin_segment("kaban-shop")
    segment.put_http_meta(http.METHOD, "GET")
    segment.put_http_meta(http.URL, "http://shop.example.com/orders/7")
    segment.put_http_meta(http.CLIENT_IP, "203.0.113.7")
    segment.put_http_meta(http.X_FORWARDED_FOR, True)
    segment.set_user("ada")
    segment.put_annotation("tier", "gold")
    segment.put_annotation("items", 3)
    segment.put_metadata("note", {"text": "注文 \"7\" <ok>", "ratio": 0.25})
    segment.put_metadata("k", [1, None], "debug")
    with xray_recorder.in_subsegment("load order") as local:
        local.put_annotation("cached", False)
        with xray_recorder.in_subsegment("orders@db.example.com", namespace="remote") as query:
            query.set_sql({
                "url": "postgresql://db.example.com:5432/orders", "user": "app", "database_type": "PostgreSQL",
                "database_version": "16.1", "driver_version": "psycopg2-2.9", "sanitized_query": "SELECT * FROM o WHERE id = %s",
            })
    with xray_recorder.in_subsegment("DynamoDB", namespace="aws") as call:
        call.set_aws({"operation": "GetItem", "region": "eu-west-1", "table_name": "orders", "request_id": "RQ1", "retries": 0})
        call.put_http_meta(http.STATUS, 200)
    try:
        with xray_recorder.in_subsegment("charge card", namespace="remote") as call:
            call.put_http_meta(http.METHOD, "POST")
            call.put_http_meta(http.URL, "https://pay.example.com/charge")
            call.put_http_meta(http.STATUS, 429)
            raise ValueError("card refused")
    except ValueError:
        pass
    segment.put_http_meta(http.STATUS, 200)
    xray_recorder.end_segment()


def main():
    address, rule = sys.argv[1:]
    emitter = Recording()
    xray_recorder.configure(
        service="kaban-shop", sampling=True, context_missing="RUNTIME_ERROR", daemon_address=address, emitter=emitter,
    )
    emitter.set_daemon_address(address)
    sampler = xray_recorder.sampler
    sampler.start()
    if not await_rule(sampler, rule):
        print(f"no rule {rule!r} after {PATIENCE_SECONDS} s", file=sys.stderr)
        return 1
    journey()
    # What the SDK does every ten seconds.
    sampler._target_poller._do_work()
    json.dump({"documents": emitter.documents}, sys.stdout)
    return 0


sys.exit(main())
