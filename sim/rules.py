"""What happens to people in a contact, as functions of scalars: load, handling, pressure, outcome.

Engines call these and add no meaning of their own. Only + - * / // % |, exp, log, log1p, expm1, tanh, erf, floor, int,
round, min and max appear here, so that a compiled engine computes the same last bit; a test holds that.
Log-odds are sums of the effects in the evidence table (`planner/evidence.yaml`). `b` is a `world.Behaviour`.
"""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.world import Behaviour

LN2 = 0.6931471805599453
SORTED_HEARD, SORTED, WARM, COLD = 0, 1, 2, 3
"""The four endings: seen and sorted; sorted but not heard; warm but unresolved; cold and unresolved."""


# --- load ---------------------------------------------------------------------------------------------------------


def decayed(load: float, elapsed_ms: int, half_life_ms: float) -> float:
    """Load (points) after `elapsed_ms` in a state with this half-life."""
    return load * exp(-LN2 * elapsed_ms / half_life_ms)


def half_life_on_queue(b: Behaviour, unseen_rest: float) -> float:
    """Half-life of load (ms) while handling or idle, with `unseen_rest` minutes of pause for each minute of it."""
    return 1.0 / (1.0 / b.load_half_life_ms + unseen_rest / b.rest_half_life_ms)


def load_area(taken: float, left: float, half_life_ms: float) -> float:
    """The integral of load over a spell on the queue, in point-ms: all that was taken on and is not left has decayed."""
    return max(0.0, (taken - left) * half_life_ms / LN2)


def load_rested(lost: float, rest_half_life_ms: float, half_life_ms: float) -> float:
    """What a pause adds to the load taken on, so that `load_area` holds: what is lost at rest weighs less, or more."""
    return lost * (rest_half_life_ms / half_life_ms - 1.0)


def time_over(load: float, elapsed_ms: int, half_life_ms: float, threshold: float) -> int:
    """How many of the stretch's ms the load lies above the threshold."""
    if load <= threshold:
        return 0
    over = int(half_life_ms * log(load / threshold) / LN2)
    return min(over, elapsed_ms)


def load_rate(b: Behaviour, absorption: float, strained: int) -> float:
    """Points per ms of a fully intense conversation: one for ten minutes, more under pressure or scripts."""
    return absorption * (1.0 + b.strain * strained) / (b.load_minutes * 60_000.0)


def load_gained(intensity: float, talk_ms: int, rate: float) -> float:
    """Points that a contact adds, at so many per ms if it is fully intense."""
    return intensity * talk_ms * rate


def exhaustion_next(b: Behaviour, exhaustion: float, days: int, load: float) -> float:
    """Exhaustion after `days` days' easing and a shift that ended with this load."""
    return exhaustion * exp(-LN2 * days / b.exhaustion_half_life_days) + b.exhaustion_share * load


def p_absent(b: Behaviour, base: float, exhaustion: float, reference: float) -> float:
    """Probability of being absent today."""
    if base == 0.0:
        return 0.0
    return min(0.95, base * exp(log(b.absence_per_exhaustion) * (exhaustion - reference)))


def load_pull(intensity: float, talk_ms: int, work_ms: int, rate: float) -> float:
    """Points per ms of undivided attention that a chat adds, on average over its work."""
    return intensity * (talk_ms / work_ms) * rate


def load_pulled(pull: float, elapsed_ms: int, n: int) -> float:
    """Points that `n` live chats add, which share the attention: their pull summed."""
    return pull * elapsed_ms / n


# --- several chats at once ------------------------------------------------------------------------------------------


def work_left(left_ms: int, elapsed_ms: int, slowing: float) -> int:
    """Work left in a chat (ms at one at a time) after `elapsed_ms` in which each chat took `slowing` times its work."""
    return max(0, left_ms - int(elapsed_ms / slowing))


def work_ends(now: int, left_ms: int, slowing: float) -> int:
    """When a chat will be over if nothing changes, rounded up."""
    lasts = left_ms * slowing
    whole = int(lasts)
    return now + (whole + 1 if whole < lasts else whole)


# --- handling -----------------------------------------------------------------------------------------------------


def talk_factor(
    b: Behaviour, speed: float, load: float, shift_ms: int, intensity: float, empathy: float, scripts: int
) -> float:
    """Agent and state factors on talk: speed, load, hours on shift, listening to the intense."""
    factor = speed * (1.0 + b.load_on_talk * load) * (1.0 + b.fatigue_per_hour * shift_ms / 3_600_000.0)
    if intensity > b.intense_above:
        factor = factor * (1.0 + b.listening_on_talk * max(empathy, 1.0 - scripts))
    return factor if factor > 0.05 else 0.05


def talk_with(b: Behaviour, known: int) -> float:
    """Factor on talk of somebody who came back and was put to the person that they know."""
    return 1.0 + b.same_agent_talk * known


def hurried_share(b: Behaviour, n_waiting: int) -> float:
    """Share of talk that is dropped because others are seen to wait."""
    return min(b.queue_speed_up_most, b.queue_speed_up * n_waiting)


def is_reserved(share: float, n_signed_on: int, n_on_deferred: int) -> bool:
    """Whether one more of a group is kept for deferred work: whole people, rounded up, whatever a share's last digit."""
    return n_on_deferred < share * n_signed_on - 1e-9


def over_target(handle_ms: float, target_ms: float) -> float:
    """What exceeds the handle-time target; nothing where there is none."""
    if target_ms <= 0.0:
        return 0.0
    return max(0.0, handle_ms - target_ms)


def is_passed_on(b: Behaviour, cut_ms: float, full_ms: float, u: float) -> bool:
    """Whether the need is passed on to somebody else, as a new contact of full length.

    The odds are such that over many contacts the work passed on is the share `passed_on` of the work cut.
    """
    return full_ms > 0.0 and u < b.passed_on * cut_ms / full_ms


def unmet_share(b: Behaviour, cut_ms: float, full_ms: float) -> float:
    """Unmet need, as a share of the need's own content: what was cut, less slack and less what is passed on."""
    if cut_ms <= 0.0 or full_ms <= 0.0:
        return 0.0
    return min(1.0, cut_ms / full_ms * max(0.0, 1.0 - b.slack - b.passed_on))


# --- outcome ------------------------------------------------------------------------------------------------------


def odds(x: float) -> float:
    """The logistic function."""
    if x >= 0.0:
        return 1.0 / (1.0 + exp(-x))
    e = exp(x)
    return e / (1.0 + e)


def heard_base(b: Behaviour, base: float, skill: float, specialist: float, scripts: int) -> float:
    """What type, group and policy give to the log-odds of being heard."""
    return base + skill + b.heard_specialist * specialist + b.heard_scripts * scripts


def heard_by(b: Behaviour, base: Any, person: Any, known: int) -> Any:
    """The same with what this person gives, and whether the customer was put to somebody they know."""
    return base + person + b.same_agent_heard * known


def heard_odds(
    b: Behaviour,
    base: Any,
    intensity: Any,
    empathy: float,
    unmet: float,
    load: float,
    repeats: int,
    wait_ms: int,
) -> Any:
    """Log-odds of being heard; of one, or of many in arrays."""
    x = base + (b.heard_intensity + b.heard_empathy * empathy) * intensity + b.heard_repeat * repeats
    x += b.heard_unmet * unmet + b.heard_load * load
    if wait_ms > 120_000:
        x += b.heard_wait_per_min * (wait_ms / 60_000.0 - 2.0)
    return x


def resolved_base(b: Behaviour, base: float, skill: float, specialist: float, authority: int) -> float:
    """What type, group and policy give to the log-odds of resolving."""
    return base + skill + b.resolved_specialist * specialist + b.resolved_authority * authority


def resolved_by(b: Behaviour, base: Any, person: Any, known: int) -> Any:
    """The same with what this person gives, and whether the customer was put to somebody they know."""
    return base + person + b.same_agent_resolved * known


def resolved_odds(b: Behaviour, base: float, difficulty: float, unmet: float, load: float) -> float:
    """Log-odds of resolving for somebody who was heard."""
    return base + b.resolved_difficulty * difficulty + b.resolved_unmet * unmet + b.resolved_load * load


def unsafe(b: Behaviour, vulnerable: Any, intensity: Any) -> Any:
    """Whether not being heard keeps this customer from telling what matters; of one, or of many in arrays."""
    return (vulnerable == 1) | (intensity > b.intense_above)


def ending_of(resolved: bool, heard: bool) -> int:
    """The ending, as one of the four."""
    if resolved:
        return SORTED_HEARD if heard else SORTED
    return WARM if heard else COLD


def p_return(b: Behaviour, ending: int) -> float:
    """Probability that the customer comes back after this ending."""
    if ending == SORTED_HEARD:
        return b.return_sorted_heard
    if ending == SORTED:
        return b.return_sorted
    return b.return_warm if ending == WARM else b.return_cold


def p_escalate(b: Behaviour, ending: int) -> float:
    """Probability that the contact escalates at once."""
    if ending == SORTED_HEARD:
        return b.escalate_sorted_heard
    if ending == SORTED:
        return b.escalate_sorted
    return b.escalate_warm if ending == WARM else b.escalate_cold


def sees(target: int, above: float, intensity: float, vulnerable: int, keyword: int) -> bool:
    """Whether what a detector looks for is truly there."""
    if target == 0:
        return intensity > above
    if target == 1:
        return vulnerable == 1
    return keyword == 1


def idle_key(load: float, idle_since_ms: int, half_life_ms: float) -> float:
    """Orders idle agents by load: they share one half-life, so the order never changes while they wait."""
    if load <= 0.0:
        return -1e300
    return log(load) / LN2 + idle_since_ms / half_life_ms


def rest_due(n_triggers: int, rest_ms: int, hardest_ms: int) -> int:
    """Recovery due after a contact: the pause, or the longer one when two or more triggers agree."""
    if n_triggers == 0:
        return 0
    return hardest_ms if n_triggers > 1 else rest_ms
