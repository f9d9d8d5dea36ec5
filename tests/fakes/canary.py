"""A canary whose API server refuses as the table of probes says; implements the port."""

from dataclasses import dataclass, field

from ringfence.admission.answers import Answer, Probe, Refusal, Stamp


@dataclass
class FakeCanary:
    """Answers as an API server whose policies are in force, but for some."""

    otherwise: dict[str, Answer] = field(default_factory=dict)
    asked: list[Probe] = field(default_factory=list)

    async def ask(self, probe: Probe) -> Answer:
        self.asked.append(probe)
        for name, answer in self.otherwise.items():
            if probe.subject.endswith(name):
                return answer
        return held(probe)


def held(probe: Probe) -> Answer:
    """The answer of a policy that is in force."""
    if isinstance(probe.expects, Stamp):
        body: object = probe.expects.value
        for step in reversed(probe.expects.path):
            body = {step: body} if isinstance(step, str) else [body]
        assert isinstance(body, dict)
        return Answer(201, body=body)
    assert isinstance(probe.expects, Refusal)
    policy = probe.expects.policy
    rule = next(each for each in policy.validations if each.id == probe.expects.rule)
    text = f"ValidatingAdmissionPolicy '{policy.name}' denied request: {rule.says}"
    return Answer(201, warnings=(text,)) if policy.warns else Answer(403, text)
