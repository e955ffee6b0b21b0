"""The servers that tests of a shared library talk to answer, and the real one can be reached from here alone."""

from __future__ import annotations

import socket

import milvus_server
import pytest
from pymilvus import MilvusClient


def test_the_stand_in_answers(milvus_lite):
    client = MilvusClient(f"http://{milvus_lite}", timeout=60)
    assert client.list_collections() == []
    client.close()


@pytest.mark.milvus
def test_a_server_is_reached_by_its_relay_alone(milvus):
    client = MilvusClient(f"http://{milvus.address}", timeout=60)
    assert client.get_server_version().startswith("v2.3.5")
    client.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", milvus_server.PORT))


@pytest.mark.milvus
def test_a_killed_server_comes_back_at_its_address(milvus):
    milvus.kill()
    host, port = milvus.address.split(":")
    with socket.create_connection((host, int(port))) as connection:
        assert connection.recv(1) == b""
    milvus.start()
    client = MilvusClient(f"http://{milvus.address}", timeout=60)
    assert client.get_server_version().startswith("v2.3.5")
    client.close()
