"""Which fields a request's body may have.

Law: a field goes on only if it is listed here, in these very letters. None that is listed names another model or
another destination, has the provider call somebody else, or has it keep what was said: an approved provider may itself
be a router (OpenRouter, LiteLLM's proxy), which lets callers say all of that.
"""

from collections.abc import Iterable
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


OPENAI: Final = _words(
    """
    best_of dimensions echo encoding_format frequency_penalty function_call functions input logit_bias logprobs
    max_completion_tokens max_tokens messages modalities model n parallel_tool_calls prediction presence_penalty prompt
    prompt_cache_key reasoning_effort response_format safety_identifier seed service_tier stop store stream
    stream_options suffix temperature tool_choice tools top_logprobs top_p user verbosity
    """
)
"""Of chat completions, completions and embeddings, less what `REFUSED` names.

Source: https://platform.openai.com/docs/api-reference, as typed in `openai` 3.54.
"""
VLLM: Final = _words(
    """
    add_generation_prompt add_special_tokens allowed_token_ids bad_words cache_salt chat_template_kwargs
    continue_final_message documents guided_choice guided_grammar guided_json guided_regex ignore_eos
    include_reasoning include_stop_str_in_output length_penalty min_p min_tokens prompt_logprobs repetition_detection
    repetition_penalty return_token_ids return_tokens_as_token_ids skip_special_tokens spaces_between_special_tokens
    stop_token_ids structured_outputs thinking_token_budget top_k truncate_prompt_tokens truncation_side use_beam_search
    """
)
"""Source: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html, "Extra Parameters"."""
SGLANG: Final = _words(
    """
    cache_salt chat_template_kwargs continue_final_message ebnf ignore_eos min_p min_tokens no_stop_trim regex
    repetition_penalty separate_reasoning skip_special_tokens stop_regex stop_token_ids stream_reasoning top_k
    """
)
"""Source: https://github.com/sgl-project/sglang, `ChatCompletionRequest` in `srt/entrypoints/openai/protocol.py`."""
LLAMA_CPP: Final = _words(
    """
    cache_prompt dry_allowed_length dry_base dry_multiplier dry_penalty_last_n dry_sequence_breakers dynatemp_exponent
    dynatemp_range grammar ignore_eos json_schema min_keep min_p mirostat mirostat_eta mirostat_tau n_indent n_keep
    n_predict n_probs post_sampling_probs repeat_last_n repeat_penalty return_progress return_tokens samplers
    t_max_predict_ms timings_per_token top_k typical_p xtc_probability xtc_threshold
    """
)
"""Source: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md, "POST /completion"."""
TEXT_GENERATION_INFERENCE: Final = _words("tool_prompt")
"""Source: https://huggingface.co/docs/huggingface_hub/package_reference/inference_client, `chat_completion`."""

ALLOWED: Final = OPENAI | VLLM | SGLANG | LLAMA_CPP | TEXT_GENERATION_INFERENCE
"""Of the outermost object. `store` may be `false` and nothing else."""
STREAM_OPTIONS: Final = _words("continuous_usage_stats include_obfuscation include_usage")
"""In `stream_options`: whoever counts tokens must see what the provider sees."""
TOOL_KEYS: Final = _words("custom function type")
"""In each of `tools`. LiteLLM's proxy takes a search engine there by its name alone (`googleSearch`)."""
TOOL_TYPES: Final = _words("custom function")
"""What the caller runs himself; any other type of tool is run by the provider."""

REFUSED: Final = {
    "names another model": _words("fallbacks lora lora_path models moderation route"),
    "names another destination": _words(
        """
        api_base api_key api_version base_url bootstrap_host custom_llm_provider kv_transfer_params provider tags
        user_config
        """
    ),
    "has the provider call somebody else": _words("mcp_servers plugins web_search_options"),
    "has the provider keep what was said": _words(
        "audio background metadata previous_response_id prompt_cache_options prompt_cache_retention"
    ),
    "may hold any of these": _words("extra_body vllm_xargs"),
    "is run by the provider's server": _words(
        "chat_template custom_logit_processor logits_processors mm_processor_kwargs prompt_embeds"
    ),
    "touches other callers' requests": _words("id_slot priority request_id rid session_id session_params"),
}
"""Examples of what is not listed, by the reason why: what is neither here nor there is refused, too."""

_OF: Final = {
    "OpenAI": OPENAI,
    "vLLM": VLLM,
    "SGLang": SGLANG,
    "llama.cpp": LLAMA_CPP,
    "Text Generation Inference": TEXT_GENERATION_INFERENCE,
}


def reference_fields() -> str:
    """The page of all fields, Markdown."""
    allowed = "".join(f"| {origin} | {_listed(names)} |\n" for origin, names in _OF.items())
    refused = "".join(f"| {why} | {_listed(names)} |\n" for why, names in REFUSED.items())
    return f"""# Fields of a request

Generated from `operator/ringfence/gateway/fields.py` by `ringfence generate`. Do not edit.

A tenant's gateway sends these fields of a request's body on to providers, in these very letters. A request with any
other one is refused with 400 `field_not_allowed`; `param` of the error names the field, if its name is a plain one.
Leave it out.

| Of the API of | Field |
|---|---|
{allowed}
`store` may be `false` and nothing else. `stream_options` has {_listed(STREAM_OPTIONS)}, and nothing
else. `tools` is a list of what the caller runs himself: each has {_listed(TOOL_KEYS)}, and its `type` is one
of {_listed(TOOL_TYPES)}.

## What is refused, and why

An approved provider may itself be a router, or run tools of its own, and let callers choose by a field what the
platform team has not approved. Examples; what stands in neither table is refused, too.

| The field | For example |
|---|---|
{refused}"""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
