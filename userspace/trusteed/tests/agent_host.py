# SPDX-License-Identifier: GPL-2.0-only
"""
The agent over a gate without a kernel, and what is around it: a volume, a
configuration, a service manager, clients. For the tests that import this.
"""

import array
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

AGENT = sys.argv[1]
INTERFACE = "io.trustgate.Agent"
count = failed = 0


def check(good, what):
    global count, failed
    count += 1
    if not good:
        failed += 1
    print(f"{'' if good else 'not '}ok {count} - {what}", flush=True)
    return good


def equal(actual, expected, what):
    return check(actual == expected, f"{what}: {actual!r}" +
                 ("" if actual == expected else f", expected {expected!r}"))


class Locked:
    """The account, kept from being written by a reader that does not end."""

    def __init__(self, host):
        self.account = sqlite3.connect(host.top + "/state/account.db", isolation_level=None)

    def __enter__(self):
        self.account.execute("BEGIN EXCLUSIVE")

    def __exit__(self, *_):
        self.account.execute("ROLLBACK")
        self.account.close()


class Failure(Exception):
    def __init__(self, error, parameters):
        super().__init__(f"{error} {parameters}")
        self.error = error.removeprefix(INTERFACE + ".")
        self.parameters = parameters


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        for _ in range(200):
            try:
                self.socket.connect(path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.05)
        self.rest = b""

    def send(self, method, more=False, **parameters):
        message = {"method": f"{INTERFACE}.{method}", "parameters": parameters}
        if more:
            message["more"] = True
        self.socket.sendall(json.dumps(message).encode() + b"\0")

    def receive(self):
        while b"\0" not in self.rest:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            self.rest += data
        message, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(message)
        if "error" in message:
            raise Failure(message["error"], message.get("parameters", {}))
        return message

    def call(self, method, **parameters):
        self.send(method, **parameters)
        return self.receive()["parameters"]

    def refused(self, method, **parameters):
        try:
            return "no error", self.call(method, **parameters)
        except Failure as failure:
            return failure.error, failure.parameters


class Host:
    """A directory with a volume, a configuration, and a service manager."""

    running = []

    def __init__(self, config):
        self.top = tempfile.mkdtemp(prefix="trusteed-agent-")
        self.volume = self.top + "/acme"
        os.makedirs(self.volume + "/db/deep")
        os.makedirs(self.volume + "/mail")
        for name in ("db/main.db", "db/deep/leaf", "mail/letter"):
            open(f"{self.volume}/{name}", "w").close()
        os.symlink("/etc", self.volume + "/escape")
        self.mount()
        os.mkdir(self.top + "/run")
        self.config(config)
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(self.top + "/notify")
        self.manager.settimeout(20)
        self.kept = {}
        self.process = None
        self.log = open(self.top + "/log", "ab")

    def mount(self):
        open(self.volume + "/.mounted", "w").close()

    def umount(self):
        os.unlink(self.volume + "/.mounted")

    def config(self, text):
        with open(self.top + "/trusteed.yaml", "w") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text.replace("VOLUME", self.volume).replace("TOP", self.top)
                       .replace("UID", str(os.getuid())))

    def start(self, wait=True, **environment):
        names = list(self.kept)
        fds = [self.kept[name] for name in names]

        def pass_fds():
            # The kept descriptors are to be 3, 4, ...: out of the way first.
            high = [os.dup2(fd, 100 + i) for i, fd in enumerate(fds)]
            for i, fd in enumerate(high):
                os.dup2(fd, 3 + i)
                os.set_inheritable(3 + i, True)
            os.environ["LISTEN_PID"] = str(os.getpid())

        arguments = [AGENT, "--config", self.top + "/trusteed.yaml",
                     "--socket", self.top + "/socket",
                     "--state-directory", self.top + "/state",
                     "--runtime-directory", self.top + "/run"]
        # LISTEN_PID is only known in the child: a shell puts it in.
        if fds:
            arguments = ["sh", "-c", "LISTEN_PID=$$ exec \"$@\"", "sh"] + arguments
        self.process = subprocess.Popen(
            arguments, stderr=self.log, stdin=subprocess.DEVNULL, close_fds=False,
            preexec_fn=pass_fds,
            env=dict(os.environ, TRUSTGATE_FAKE=self.top + "/gate",
                     NOTIFY_SOCKET=self.top + "/notify",
                     LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=":".join(names),
                     DBUS_SYSTEM_BUS_ADDRESS="unix:path=" + self.top + "/no-bus",
                     **environment))
        Host.running.append(self.process)
        return self.wait_for("READY=1") if wait else None

    def wait_for(self, line):
        """Play the service manager until the agent has said something."""
        said = {}
        while True:
            data, ancillary, _, _ = self.manager.recvmsg(4096, socket.CMSG_SPACE(16))
            lines = data.decode().split("\n")
            said.update(l.split("=", 1) for l in lines if "=" in l)
            if "FDSTORE=1" in lines:
                fds = array.array("i")
                fds.frombytes(ancillary[0][2][:4])
                self.kept[said["FDNAME"]] = fds[0]
                check("FDPOLL=0" in lines, f"{said['FDNAME']} is kept even if it has an error")
            if "FDSTOREREMOVE=1" in lines:
                os.close(self.kept.pop(said["FDNAME"]))
            if line in lines:
                return said

    def kill(self, sig=signal.SIGKILL):
        self.process.send_signal(sig)
        return self.process.wait(20)

    def client(self):
        return Client(self.top + "/socket")

    def text(self):
        return open(self.top + "/log", errors="replace").read()

    def event(self, kind, pid=1, path="mail/letter", volume="acme"):
        """What the kernel would send to the agent; waits while it is busy."""
        if not hasattr(self, "kernel"):
            name = [l.split()[-1][1:] for l in open("/proc/net/unix")
                    if f"@tgfake-{self.process.pid}-" in l][0]
            self.kernel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.kernel.settimeout(20)
            self.kernel.connect("\0" + name)
        self.kernel.send(f"{kind} {volume} {pid} {path}".encode())

    def answer(self, what):
        """Lose, or kill during, the next request: "lose-grant-add" and so on."""
        open(f"{self.top}/gate.{what}", "w").close()

    def wait_text(self, text, seconds=10):
        for _ in range(20 * seconds):
            if text in self.text():
                return True
            time.sleep(0.05)
        return False


TRUSTEE = """
trustees: [UID]
volumes:
  - name: acme
    path: VOLUME
    max-duration: 30m
"""

MINUTE = 60 * 10**9


def run(*tests):
    for test in tests:
        print(f"# {test.__name__}", flush=True)
        try:
            test()
        except Exception as error:  # a test that breaks off is a failed one
            check(False, f"{test.__name__}: {type(error).__name__}: {error}")
        for process in Host.running:
            process.kill()
            process.wait()
        Host.running.clear()
    print(f"1..{count}")
    sys.exit(1 if failed or not count else 0)
