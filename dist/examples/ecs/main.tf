# An application on Fargate with hikyaku beside it. `terraform apply -var app_image=… -var hikyaku_image=…`
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "name" {
  description = "Name of the service, and of everything made for it."
  type        = string
  default     = "orders"
}

variable "app_image" {
  description = "The application's image."
  type        = string
}

variable "hikyaku_image" {
  description = "hikyaku's image in a registry of yours."
  type        = string
}

variable "datadog_api_key_parameter" {
  description = "ARN of the SSM parameter (SecureString) with Datadog's API key."
  type        = string
}

variable "datadog_site" {
  description = "Datadog's site."
  type        = string
  default     = "datadoghq.com"
}

data "aws_region" "current" {}

data "aws_iam_policy_document" "tasks" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

# What ECS needs before the containers run: the images, the log groups, the secret.
resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role_policy" "secret" {
  name = "datadog-api-key"
  role = aws_iam_role.execution.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "ssm:GetParameters"
      Resource = var.datadog_api_key_parameter
    }]
  })
}

# What the containers may do themselves: hikyaku sends to X-Ray.
resource "aws_iam_role" "task" {
  name               = "${var.name}-task"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy_attachment" "xray" {
  role       = aws_iam_role.task.name
  policy_arn = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/ecs/${var.name}"
  retention_in_days = 14
}

locals {
  logs = {
    for container in ["app", "hikyaku"] : container => {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = data.aws_region.current.name
        awslogs-stream-prefix = container
      }
    }
  }
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  runtime_platform {
    cpu_architecture        = "ARM64"
    operating_system_family = "LINUX"
  }

  container_definitions = jsonencode([
    {
      name      = "app"
      image     = var.app_image
      essential = true
      # Started when hikyaku is ready, and stopped before it, so that its last spans find somebody.
      dependsOn = [{ containerName = "hikyaku", condition = "HEALTHY" }]
      environment = [
        { name = "OTEL_SERVICE_NAME", value = var.name },
        { name = "OTEL_EXPORTER_OTLP_ENDPOINT", value = "http://localhost:4318" },
      ]
      stopTimeout      = 30
      logConfiguration = local.logs["app"]
    },
    {
      name  = "hikyaku"
      image = var.hikyaku_image
      # Telemetry must not take the application down.
      essential = false
      command   = ["--config", "env:HIKYAKU_CONFIG"]
      environment = [
        { name = "HIKYAKU_CONFIG", value = file("${path.module}/hikyaku.yaml") },
        { name = "DD_SITE", value = var.datadog_site },
      ]
      secrets = [
        { name = "DD_API_KEY", valueFrom = var.datadog_api_key_parameter },
      ]
      healthCheck = {
        command     = ["CMD", "/hikyaku", "healthcheck", "--endpoint", "localhost:13133"]
        interval    = 5
        timeout     = 3
        retries     = 3
        startPeriod = 5
      }
      cpu                    = 32
      memory                 = 128
      memoryReservation      = 64
      # Above service.shutdown.deadline, which is 25 s.
      stopTimeout            = 30
      readonlyRootFilesystem = true
      user                   = "65532:65532"
      linuxParameters        = { capabilities = { drop = ["ALL"] } }
      logConfiguration       = local.logs["hikyaku"]
    },
  ])
}

output "task_definition" {
  description = "For an aws_ecs_service."
  value       = aws_ecs_task_definition.this.arn
}
