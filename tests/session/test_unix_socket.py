import os
import socket

from photomap_cli.session import unix_socket


class Libc:
    """A C library of a BSD, as far as it matters here."""

    def __init__(self, uid):
        self.uid = uid

    def getpeereid(self, fd, uid, gid):
        if self.uid is None:
            return -1
        uid._obj.value = self.uid
        return 0


def test_the_other_end_of_a_pair_is_ours():
    one, other = socket.socketpair()
    with one, other:
        assert unix_socket.user_of(one) == unix_socket.user() == os.geteuid()


def test_where_there_is_getpeereid_it_says_who():
    assert unix_socket._by_getpeereid(3, Libc(501)) == 501
    assert unix_socket._by_getpeereid(3, Libc(None)) is None
    assert unix_socket._by_getpeereid(3, object()) is None


def test_a_hang_up_is_seen_without_reading_and_a_half_closed_end_is_still_there():
    one, other = socket.socketpair()
    with one, other:
        assert not unix_socket.has_hung_up(one)
        other.sendall(b"x")
        other.shutdown(socket.SHUT_WR)
        assert not unix_socket.has_hung_up(one) or os.uname().sysname != "Linux"
        other.close()
        assert unix_socket.has_hung_up(one)
        assert one.recv(1) == b"x"
