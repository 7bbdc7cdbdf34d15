# SPDX-License-Identifier: GPL-2.0-only
"""What zsh offers, asked of an interactive one on a terminal."""

import os
import pty
import re
import select
import tempfile
import time

PATIENCE = 120
# compadd, by which all that is offered passes, tells it; the rest asks and ends.
STARTUP = r"""
PROMPT=
LISTMAX=100000
unsetopt prompt_cr prompt_sp
fpath=(%(directory)s $fpath)
autoload -Uz compinit && compinit -u -D
trustgate() {
	case "$*" in
	*--noheadings*) . %(stub)s ;;
	*) %(program)s "$@" ;;
	esac
}
bindkey '^I' complete-word
bindkey '^U' kill-whole-line
zstyle ':completion:*' insert-tab false
begin_() { compprefuncs=(begin_) }
end_() { comppostfuncs=(end_); print; print -r -- '@@end' }
compprefuncs=(begin_)
comppostfuncs=(end_)
compadd() {
	local -a hits
	if [[ " ${(j: :)@[1,(i)(-|--)]} " == *\ -(O|A|D)\ * ]]; then
		builtin compadd "$@"
		return
	fi
	builtin compadd -A hits "$@"
	(( $#hits )) && print && print -rl -- '@@'${^hits}
	builtin compadd "$@"
}
print -r -- '@@ready'
"""


class Zsh:
    """A shell that completes."""

    def __init__(self, directory, program):
        self.home = tempfile.TemporaryDirectory(prefix="trustgate-zsh-")
        self.stub = os.path.join(self.home.name, "stub")
        with open(os.path.join(self.home.name, ".zshrc"), "w", encoding="utf-8") as file:
            file.write(STARTUP % {"directory": directory, "stub": self.stub, "program": program})
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            os.environ.update(ZDOTDIR=self.home.name, TERM="dumb")
            os.execvp("zsh", ["zsh", "-d", "-i"])
        self.read("@@ready")

    def read(self, last):
        """What comes until a line is this."""
        text, end = "", time.monotonic() + PATIENCE
        while not re.search(rf"(?m)^{last}\s*$", text):
            if time.monotonic() > end:
                raise AssertionError(f"no {last} in {text!r}")
            if select.select([self.terminal], [], [], 1)[0]:
                text += os.read(self.terminal, 65536).decode(errors="replace")
        return text

    def complete(self, line, stub="print acme; print other"):
        """The words offered at the end of a line."""
        with open(self.stub, "w", encoding="utf-8") as file:
            file.write(stub + "\n")
        os.write(self.terminal, b"\x15" + line.encode() + b"\t")
        text = self.read("@@end")
        return [word for word in re.findall(r"(?m)^@@(.*?)\s*$", text) if word != "end"]

    def close(self):
        """Its end."""
        os.close(self.terminal)
        os.waitpid(self.pid, 0)
        self.home.cleanup()
