#pragma once

/* What a copy of PID 1 needs that works on its own and never execs. */

/* Everything that PID 1 has open from that number on. signal-safety(7). */
void worker_close_from(unsigned first);
