from tests.support.office import Office


async def test_smoke(office: Office) -> None:
    run = await office.answer("Hi! price for 40 scanners if we pay for the year?", "and does it work offline?", "could you introduce us to Tomas?")
    print(run)
    for c in await office.calls(run.id):
        print(c)
    found = await office.draft()
    assert found
    print(found[0].body, found[0].flags, found[0].model)
    for e in found[1]:
        print(e)
    assert 0
