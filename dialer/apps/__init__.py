"""Voice applications that run on an answered call.

One is `async def app(call: AnsweredCall, context: CallContext)`: it drives the call and notes what happened. When it returns,
the call is hung up. `runner` finds those that the configuration names, and runs the one of the attempt's campaign.
"""
