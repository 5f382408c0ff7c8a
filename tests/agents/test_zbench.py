import asyncio, time
from tests.support.office import make_office
import structlog, logging
from agents import checkpoints, registry
from agents.inbox.state import CHECKPOINTED, State
from core.ids import uuid7
from langgraph.graph import StateGraph, START, END
from agents.inbox.state import *
import pytest

async def test_bench(database, organization, settings, servers):
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    office = await make_office(database, organization, settings)
    from core.db import Database
    db = await Database(database.url, size=20).open()
    office.world.db = db
    office.model  # offline
    import os
    N=int(os.environ.get("N","60")); C=8
    # many conversations
    ids=[]
    for i in range(N):
        office.world.chat_id=str(800000000+i); office.world.handles=(("telegram_id",str(800000000+i)),)
        ids.append(await office.ask("Hi! price for 40 scanners?"))
    rt=office.runtime()
    sem=asyncio.Semaphore(C)
    async def one(i):
        async with sem: await rt.execute(organization.organization_id,i)
    await one(ids[0])
    import cProfile,pstats
    import psycopg, collections
    cnt=collections.Counter(); orig=psycopg.AsyncCursor.execute
    async def ex(self,q,*a,**k):
        cnt[' '.join((q if isinstance(q,str) else str(q)).split())[:70]]+=1
        return await orig(self,q,*a,**k)
    if os.environ.get('CNT'): psycopg.AsyncCursor.execute=ex
    t=time.perf_counter()
    if os.environ.get("PROF"):
        p=cProfile.Profile(); p.enable()
    await asyncio.gather(*[one(i) for i in ids[1:]])
    if os.environ.get("PROF"):
        p.disable(); st=pstats.Stats(p)
        import re as _re
        grp={}
        for (f,l,n),(cc,nc,tt,ct,_) in st.stats.items():
            m=_re.search(r"site-packages/([^/]+)|/work/main/([^/]+)/|lib/python3.11/([^/]+)",f)
            k=next((x for x in m.groups() if x),f) if m else "builtin:"+n if tt>0.02 else "builtin"
            grp[k]=grp.get(k,0)+tt
        for k,v in sorted(grp.items(),key=lambda x:-x[1])[:25]: print(f"{v/(N-1)*1000:.2f}ms {k}")
        st.sort_stats("cumtime").print_stats("work/main",60)
    psycopg.AsyncCursor.execute=orig
    if os.environ.get('CNT'):
        print(sum(cnt.values())/(N-1)); [print(round(v/(N-1),1),k) for k,v in cnt.most_common(45)]
    ours=(N-1)/(time.perf_counter()-t)
    # bare
    draft=DraftText("Hi Vera! "*20,"en",(),())
    async def triage(s): return {"decision":"answer","language":"en"}
    async def gather(s): return {}
    async def drafter(s): return {"draft":draft}
    async def guard(s): return {"marks":()}
    async def propose(s): return {"outcome":"drafted","detail":""}
    g=StateGraph(State)
    for n,f in (("triage",triage),("gather",gather),("drafter",drafter),("guard",guard),("propose",propose)): g.add_node(n,f)
    g.add_edge(START,"triage"); g.add_conditional_edges("triage",lambda s:"gather",["gather"]); g.add_edge("gather","drafter"); g.add_edge("drafter","guard"); g.add_edge("guard","propose"); g.add_edge("propose",END)
    compiled=g.compile()
    serde=checkpoints.serializer(CHECKPOINTED)
    async def bare():
        async with sem:
            async with db.session(organization) as cn:
                sv=checkpoints.saver(cn, serde)
                await compiled.copy({"checkpointer":sv}).ainvoke({}, {"configurable":{"thread_id":str(uuid7())}}, durability="sync", version="v2")
    await bare()
    t=time.perf_counter()
    await asyncio.gather(*[bare() for _ in range(N-1)])
    b=(N-1)/(time.perf_counter()-t)
    t=time.perf_counter()
    for _ in range(20): g.compile()
    comp=(time.perf_counter()-t)/20
    t=time.perf_counter()
    for _ in range(200): compiled.copy({"checkpointer":None})
    cp=(time.perf_counter()-t)/200
    print(f"\nours {ours:.1f}/s bare {b:.1f}/s ratio {ours/b:.2f} compile {comp*1000:.2f}ms copy {cp*1000:.3f}ms")
    await db.close()
