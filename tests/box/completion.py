"""What the shells' completions offer, with the shells' own part of it played here: bash is given COMP_WORDS as readline
cuts them, and zsh stand-ins for the builtins that exist only while somebody completes."""

import os
import re
import shutil
import subprocess

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "completions")

BASH = r"""
. "$1"
COMP_LINE=$2 COMP_POINT=${#2}
shift 2
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_reevectl
printf '%s\n' "${COMPREPLY[@]}"
"""

ZSH = r"""
typeset -a offered
compset() { [[ $2 == 1 ]] && shift; PREFIX=${PREFIX##${~2}} }
compadd() {
    while [[ $1 != -- ]]; do shift; done
    shift
    offered+=(${(M)@:#${PREFIX}*})
}
_files() { offered+=(FILES) }
_users() { offered+=(USERS) }
_command_names() { offered+=(COMMANDS) }
script=$1
shift
words=("$@") CURRENT=$# PREFIX=$words[-1]
. $script
print -rl -- $offered
"""


def run(argv, env):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False, env=dict(os.environ, **env))
    if done.returncode not in (0, 1) or done.stderr:
        raise AssertionError(f"{argv[0]}: {done.returncode}: {done.stderr}")
    return done.stdout.split()


def bash(*words, **env):
    """The replies for a line of these words, the last of which is being written."""
    line = " ".join(words)
    cut = re.findall(r"[=:]+|[^\s=:]+", line) + ([""] if line[-1].isspace() else [])
    return run(["bash", "--norc", "-c", BASH, "bash", f"{FOLDER}/reevectl.bash", line, *cut], env)


def zsh(*words, **env):
    return run(["zsh", "-f", "-c", ZSH, "zsh", f"{FOLDER}/_reevectl", *words], env)


def shells():
    return [bash] + ([zsh] if shutil.which("zsh") else [])
