# A function with hikyaku as a layer. `cargo xtask dist layer` makes the layer's zip; `npm install` in function/ before.
terraform {
  required_version = ">= 1.5"
  required_providers {
    archive = {
      source  = "hashicorp/archive"
      version = ">= 2.4"
    }
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

variable "name" {
  description = "Name of the function, and of everything made for it."
  type        = string
  default     = "orders"
}

variable "layer_zip" {
  description = "The layer for arm64."
  type        = string
  default     = "../../../target/dist/lambda/hikyaku-lambda-arm64.zip"
}

variable "datadog_api_key_parameter" {
  description = "Name of the SSM parameter (SecureString) with Datadog's API key; function/collector.yaml names it, too."
  type        = string
  default     = "/orders/datadog-api-key"
}

variable "datadog_site" {
  description = "Datadog's site."
  type        = string
  default     = "datadoghq.com"
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

data "archive_file" "function" {
  type        = "zip"
  source_dir  = "${path.module}/function"
  output_path = "${path.module}/function.zip"
}

resource "aws_lambda_layer_version" "hikyaku" {
  layer_name               = "hikyaku-arm64"
  filename                 = var.layer_zip
  source_code_hash         = filebase64sha256(var.layer_zip)
  compatible_architectures = ["arm64"]
  license_info             = "Apache-2.0"
}

data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  name               = var.name
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = toset(["service-role/AWSLambdaBasicExecutionRole", "AWSXRayDaemonWriteAccess"])

  role       = aws_iam_role.this.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/${each.value}"
}

resource "aws_iam_role_policy" "secret" {
  name = "datadog-api-key"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      # With the s: hikyaku reads all parameters of a config at once, and ssm:GetParameter is another action.
      Action = "ssm:GetParameters"
      Resource = join("", [
        "arn:${data.aws_partition.current.partition}:ssm:${data.aws_region.current.region}:",
        "${data.aws_caller_identity.current.account_id}:parameter${var.datadog_api_key_parameter}",
      ])
    }]
  })
}

resource "aws_lambda_function" "this" {
  function_name    = var.name
  role             = aws_iam_role.this.arn
  filename         = data.archive_file.function.output_path
  source_code_hash = data.archive_file.function.output_base64sha256
  handler          = "index.handler"
  runtime          = "nodejs22.x"
  architectures    = ["arm64"]
  memory_size      = 256
  timeout          = 10
  layers           = [aws_lambda_layer_version.hikyaku.arn]

  environment {
    variables = {
      OPENTELEMETRY_COLLECTOR_CONFIG_URI = "/var/task/collector.yaml"
      OTEL_SERVICE_NAME                  = var.name
      DD_SITE                            = var.datadog_site
    }
  }
}

output "function" {
  description = "The function's ARN."
  value       = aws_lambda_function.this.arn
}
