"""Owns a client of Milvus that answers as a test says: with values, errors, or one after the other."""

from __future__ import annotations

import enum

import grpc
from pymilvus.exceptions import MilvusException


class LoadState(enum.IntEnum):
    NotLoad = 1
    Loading = 2
    Loaded = 3


class Clock:
    """A time that passes by pauses alone."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def pause(self, seconds):
        self.now += seconds


class RpcError(grpc.RpcError):
    """An error of gRPC's, without a channel."""

    def __init__(self, status, details=""):
        super().__init__()
        self._status, self._details = status, details

    def code(self):
        return getattr(grpc.StatusCode, self._status)

    def details(self):
        return self._details


def failing(code, message="", cause=None):
    """Return an error of pymilvus's; its causes go in a circle, as they do there."""
    error = MilvusException(code, message)
    error.__cause__ = cause
    if cause is not None:
        cause.__cause__ = cause
    return error


class FakeMilvus:
    """Stands in for pymilvus's client; `answers` has a value, an error, or a list of both, for each method."""

    def __init__(self, **answers):
        self.answers, self.calls, self.timeouts, self.is_closed = answers, [], {}, False

    def close(self):
        self.is_closed = True

    def __getattr__(self, method):
        def answer(*values, timeout, **named):
            self.calls.append((method, values, named))
            self.timeouts[method] = timeout
            found = self.answers.get(method)
            if isinstance(found, list):
                found = found.pop(0) if len(found) > 1 else found[0]
            if isinstance(found, BaseException):
                raise found
            return found

        return answer


def loaded(state):
    return {"state": LoadState[state]}
