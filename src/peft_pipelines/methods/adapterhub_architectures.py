"""Paths of a block's parts in model types that ``adapters`` does not know."""

PLACES = {
    "gpt_neox": {
        "model_embeddings": "embed_in",
        "model_layers": "layers",
        "layer_self_attn": "attention",
        "attn_qkv_proj": "query_key_value",
        "attn_o_proj": "dense",
        "layer_intermediate_proj": "mlp.dense_h_to_4h",
        "layer_output_proj": "mlp.dense_4h_to_h",
        "layer_pre_self_attn": "input_layernorm",
        "layer_pre_ffn": "post_attention_layernorm",
    },
    "opt": {
        "model_embeddings": "decoder.embed_tokens",
        "model_layers": "decoder.layers",
        "layer_self_attn": "self_attn",
        "attn_q_proj": "q_proj",
        "attn_k_proj": "k_proj",
        "attn_v_proj": "v_proj",
        "attn_o_proj": "out_proj",
        "layer_intermediate_proj": "fc1",
        "layer_output_proj": "fc2",
        "layer_pre_self_attn": "self_attn_layer_norm",
        "layer_pre_ffn": "final_layer_norm",
    },
}
"""By model type: paths in the base model, and in one of its layers."""
