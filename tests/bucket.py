"""A store that speaks S3, on this machine, for as long as tests need it."""

from __future__ import annotations

import uuid
import warnings
from contextlib import contextmanager

import pytest

KEYS = {"AWS_ACCESS_KEY_ID": "made-up", "AWS_SECRET_ACCESS_KEY": "made-up", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def served():
    """A client of a server that keeps everything in memory."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import boto3
            from moto.server import ThreadedMotoServer
    except ImportError:
        pytest.skip("no store that speaks S3 here: boto3 or moto is not installed")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="made-up",
        aws_secret_access_key="made-up",
    )
    try:
        yield client
    finally:
        client.close()
        server.stop()


@contextmanager
def emptied(client, **settings):
    """The name of a new bucket; gone afterwards with everything in it."""
    name = f"documents-{uuid.uuid4().hex}"
    client.create_bucket(Bucket=name, **settings)
    yield name
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
        for one in page.get("Contents", ()):
            client.delete_object(Bucket=name, Key=one["Key"])
