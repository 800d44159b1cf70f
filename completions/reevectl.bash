# Bash completion for reevectl(1).
#
# Verbs, options and what they take stand in the tables that reevectl makes its --help of: so that is read, and
# nothing of it is repeated here. Ids of jobs, names of sessions and of units are asked of reeve.

# The words of the line up to the cursor, into words: the shell's own are cut at "=" and ":", too.
_reevectl_split() {
    local rest=${COMP_LINE:0:COMP_POINT} word i
    words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $i -eq 0 || $rest == [[:blank:]]* ]]; then
            rest=${rest#"${rest%%[![:blank:]]*}"}
            words+=("")
        fi
        [[ $i -eq $COMP_CWORD ]] && word=$rest
        words[-1]+=$word
        rest=${rest#"$word"}
    done
}

_reevectl_call() {
    command "${words[0]}" "${address[@]}" "$@" 2>/dev/null
}

# What --help says, of everything or of a verb: verbs; arguments, by option, which is empty for one that takes none;
# and operands, of a verb.
_reevectl_read_help() {
    local line
    verbs=() arguments=() operands=()
    while IFS= read -r line; do
        if [[ $line =~ ^'  '([a-z]+( [a-z]+)?)(' '|$) ]]; then
            verbs+=("${BASH_REMATCH[1]}")
        elif [[ $line =~ ^'  '(-[A-Za-z],|'   ')' --'([a-z-]+)(=([^ ]+))? ]]; then
            arguments[--${BASH_REMATCH[2]}]=${BASH_REMATCH[4]}
            [[ ${BASH_REMATCH[1]} == -* ]] && arguments[${BASH_REMATCH[1]%,}]=${BASH_REMATCH[4]}
        elif [[ $line =~ ^'Usage: reevectl '.*' [OPTION...] '(.*)$ ]]; then
            read -ra operands <<<"${BASH_REMATCH[1]}"
        fi
    done < <(_reevectl_call "$@" --help)
}

# Once the words in group are those of a verb: that is it.
_reevectl_choose() {
    local name
    for name in "${verbs[@]}"; do
        if [[ $name == "$group" ]]; then
            verb=$name
            # shellcheck disable=SC2086 # a verb may be two words
            _reevectl_read_help $verb
            return
        fi
    done
}

# What stands before the cursor: address, verb, given (its operands), pending (the option whose argument is to
# come), ended (no option can come any more).
_reevectl_parse() {
    local i word
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        word=${words[i]}
        if [[ -n $pending ]]; then
            [[ $pending == --address ]] && address=("--address=$word")
            pending=
        elif [[ -z $ended && $word == -- ]]; then
            ended=1
        elif [[ -z $ended && $word == --* ]]; then
            [[ $word == --address=* ]] && address=("$word")
            [[ $word != *=* && -n ${arguments[$word]} ]] && pending=$word
        elif [[ -z $ended && $word == -?* ]]; then
            [[ -n ${arguments[-${word: -1}]} ]] && pending=-${word: -1}
        elif [[ -z $verb ]]; then
            group=${group:+$group }$word
            _reevectl_choose
        else
            given+=("$word")
            [[ ${operands[0]} == COMMAND* ]] && ended=1
        fi
    done
}

# A column of a table, without its header and the cells that say "-", which is nothing. Two blanks at least are
# between cells, one may be in them.
_reevectl_column() {
    local column=$1 line cell cells header=1
    shift
    while IFS= read -r line; do
        IFS=$'\t' read -ra cells <<<"${line//  /$'\t'}"
        cell=${cells[column]# }
        [[ -z $header && $cell != - ]] && printf '%s\n' "$cell"
        header=
    done < <(_reevectl_call "$@")
}

# For -p KEY=VALUE: the keys, or, where one is given, the words that its value may be.
_reevectl_settings() {
    local key value text
    while read -r key value text; do
        if [[ $1 != *=* ]]; then
            [[ $key != KEY ]] && printf '%s=\n' "$key"
        elif [[ $key == "${1%%=*}" ]]; then
            [[ $text =~ :\ ([a-z|-]+)$ ]] && value=${BASH_REMATCH[1]}
            # shellcheck disable=SC2086 # words they are
            [[ $value == *'|'* ]] && printf "$key=%s\n" ${value//|/ }
        fi
    done < <(_reevectl_call settings)
}

# A line each: what may stand where an argument of the kind $1 is due, of which $2 is there already.
_reevectl_candidates() {
    local ids=(list)
    [[ $verb == list || $verb == logs || $verb == status ]] && ids=(list --all)
    case $1 in
        ID) _reevectl_column 0 "${ids[@]}" ;;
        PID) _reevectl_column 2 list ;;
        SESSION) _reevectl_column 0 session list ;;
        UNIT) _reevectl_column 0 unit list ;;
        VARIABLE | VARIABLE=VALUE) _reevectl_call session env "${given[0]}" ;;
        'NAME[=VALUE]') compgen -e ;;
        KEY=VALUE) _reevectl_settings "$2" ;;
        'STATE[,STATE...]')
            printf "${2%"${2##*,}"}%s\n" starting running exited restarting stopping finished ;;
        SIGNAL) compgen -A signal SIG ;;
        USER) compgen -u ;;
        DIRECTORY) compgen -d -- "$2" ;;
        FILE | ARG) compgen -f -- "$2" ;;
        COMMAND) compgen -c -- "$2" ;;
        *'|'*)
            # shellcheck disable=SC2086 # words they are
            printf '%s\n' ${1//|/ } ;;
    esac
}

# The kind of the operand that is to come.
_reevectl_operand() {
    local kind=${operands[${#given[@]}]}
    [[ -z $kind && ${operands[-1]} == *...* ]] && kind=${operands[-1]}
    kind=${kind#[}
    kind=${kind%]}
    # What follows the command of exec is the command's; files are as good a guess as any.
    [[ ${kind%...} == COMMAND && ${#given[@]} -gt 0 ]] && kind=ARG
    printf '%s\n' "${kind%...}"
}

# To COMPREPLY: those lines that begin with $2, each behind $1.
_reevectl_reply() {
    local line
    while IFS= read -r line; do
        [[ -n $line && $line == "$2"* ]] && COMPREPLY+=("$1$line")
    done
}

# The candidates of the kind $3 for what is there as $2, behind $1.
_reevectl_complete() {
    [[ $3 == DIRECTORY || $3 == FILE || $3 == ARG ]] && compopt -o filenames 2>/dev/null
    _reevectl_reply "$1" "$2" < <(_reevectl_candidates "$3" "$2")
}

# Only what stands behind the last "=" or ":" is replaced, where these cut words.
_reevectl_trim() {
    local current=$1 cut i
    for i in = :; do
        [[ $current == *$i* && $COMP_WORDBREAKS == *$i* ]] || continue
        cut=${current%"${current##*$i}"}
        COMPREPLY=("${COMPREPLY[@]#"$cut"}")
        current=${current#"$cut"}
    done
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
}

_reevectl() {
    local verb='' group='' pending='' ended='' current option words verbs operands given=() address=()
    local -A arguments
    COMPREPLY=()
    _reevectl_split
    _reevectl_read_help
    _reevectl_parse
    current=${words[-1]}

    if [[ -n $pending ]]; then
        _reevectl_complete "" "$current" "${arguments[$pending]}"
    elif [[ -z $ended && $current == --*=* ]]; then
        option=${current%%=*}
        _reevectl_complete "$option=" "${current#*=}" "${arguments[$option]}"
    elif [[ -z $ended && $current == -* ]]; then
        _reevectl_reply "" "$current" < <(for option in "${!arguments[@]}"; do
            [[ $option == --* ]] && printf '%s\n' "$option${arguments[$option]:+=}"
        done)
    elif [[ -n $verb ]]; then
        _reevectl_complete "" "$current" "$(_reevectl_operand)"
    elif [[ -n $group ]]; then
        _reevectl_reply "" "$current" < <(for option in "${verbs[@]}"; do
            [[ $option == "$group "* ]] && printf '%s\n' "${option#* }"
        done)
    else
        _reevectl_reply "" "$current" < <(printf '%s\n' "${verbs[@]%% *}" | uniq)
    fi
    _reevectl_trim "$current"
}

complete -F _reevectl reevectl
